package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certified writes a certificate of that number and its key, as if at that time.
func certified(t *testing.T, dir string, number int64, at time.Time) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(number), DNSNames: []string{"id.example"}, NotAfter: time.Now().Add(time.Hour)}
	der, err1 := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	private, err2 := x509.MarshalPKCS8PrivateKey(k)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	write(t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), at)
	write(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), at)
	return cert, key
}

func write(t *testing.T, file string, b []byte, at time.Time) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestCertificatesAreReadAgain(t *testing.T) {
	dir, now := t.TempDir(), time.Unix(1_800_000_000, 0)
	var said bytes.Buffer
	cert, key := certified(t, dir, 1, now)
	f, err := readCertificate(cert, key, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	f.now = func() time.Time { return now }
	f.looked = now
	serial := func() int64 {
		t.Helper()
		c, err := f.certificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.SerialNumber.Int64()
	}
	is := func(rule string, want int64) {
		t.Helper()
		if got := serial(); got != want {
			t.Errorf("%s: %d, want %d", rule, got, want)
		}
	}
	is("at first", 1)
	certified(t, dir, 2, now.Add(time.Second))
	is("the files are not looked at for each connection", 1)
	now = now.Add(lookEvery)
	is("they have changed", 2)
	if err := os.WriteFile(key, []byte("half a k"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(lookEvery)
	is("one of them is half written", 2)
	if !strings.Contains(said.String(), "cannot be used") || strings.Contains(said.String(), "half a k") {
		t.Errorf("the log says %s", said.String())
	}
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	now = now.Add(lookEvery)
	is("one of them is gone", 2)
	certified(t, dir, 3, now.Add(time.Minute))
	now = now.Add(lookEvery)
	is("they are whole again", 3)
	if _, err := readCertificate(filepath.Join(dir, "other"), key, slog.Default()); err == nil {
		t.Error("at the start a missing file is an error")
	}
}

// S193: nothing older than TLS 1.2, and of its suites those with forward secrecy and authenticated encryption only.
func TestTLSIsModern(t *testing.T) {
	cert, key := certified(t, t.TempDir(), 1, time.Now())
	f, err := readCertificate(cert, key, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	shake := func(ask bool, c *tls.Config) (tls.ConnectionState, error) {
		a, b := net.Pipe()
		defer a.Close()
		defer b.Close()
		server := tls.Server(a, f.config(ask))
		go func() { _ = server.Handshake() }()
		c.InsecureSkipVerify = true
		client := tls.Client(b, c)
		err := client.Handshake()
		return client.ConnectionState(), err
	}
	for rule, c := range map[string]struct {
		config *tls.Config
		fine   bool
	}{
		"TLS 1.3":        {&tls.Config{MinVersion: tls.VersionTLS13}, true},
		"TLS 1.2":        {&tls.Config{MaxVersion: tls.VersionTLS12}, true},
		"TLS 1.1":        {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		"a block cipher": {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, false},
	} {
		if s, err := shake(false, c.config); (err == nil) != c.fine {
			t.Errorf("%s: %v, version %x", rule, err, s.Version)
		}
	}
	for _, ask := range []bool{false, true} {
		asked := false
		_, err := shake(ask, &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return &tls.Certificate{}, nil
		}})
		if err != nil || asked != ask {
			t.Errorf("ask %v: asked %v, %v", ask, asked, err)
		}
	}
}

func TestMutualURL(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for rule, c := range map[string]struct {
		url      string
		listener net.Listener
		want     string
		fine     bool
	}{
		"there is none":            {"", nil, "", true},
		"a listener of its own":    {"", l, "https://" + l.Addr().String(), true},
		"known under another name": {"https://mtls.example/", l, "https://mtls.example", true},
		"behind a proxy":           {"https://mtls.example:8443/base", nil, "https://mtls.example:8443/base", true},
		"not TLS":                  {"http://mtls.example", l, "", false},
		"with a query":             {"https://mtls.example?x", l, "", false},
		"no URL":                   {"mtls.example", nil, "", false},
	} {
		s := &serve{MTLSURL: c.url, MTLSListen: "127.0.0.1:0"}
		if got, err := s.mutualURL(c.listener); (err == nil) != c.fine || got != c.want {
			t.Errorf("%s: %q, %v", rule, got, err)
		}
	}
	if _, _, err := (&serve{MTLSListen: "127.0.0.1:0"}).tls(slog.Default()); err == nil {
		t.Error("--mtls-listen does not need a certificate")
	}
}
