package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// suites are those of TLS 1.2 (BCP 195 §4.2, FAPI 2.0 Security Profile §5.2.1). Those of TLS 1.3 are all good.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// certificateFiles are the server's certificate and key, which are read again when the files have changed. It is safe for
// concurrent use.
type certificateFiles struct {
	cert, key string
	now       func() time.Time
	log       *slog.Logger

	mu     sync.Mutex
	looked time.Time // at the files
	stamps [2]stampOf
	pair   *tls.Certificate
}

// stampOf is by which a change of a file is noticed.
type stampOf struct {
	at   time.Time
	size int64
}

// lookEvery is how long a certificate is used before its files are looked at again.
const lookEvery = 2 * time.Second

// readCertificate reads the two files for the first time.
func readCertificate(cert, key string, log *slog.Logger) (*certificateFiles, error) {
	f := &certificateFiles{cert: cert, key: key, now: time.Now, log: log}
	if err := f.read(); err != nil {
		return nil, fmt.Errorf("--tls-cert and --tls-key: %w", err)
	}
	f.looked = f.now()
	return f, nil
}

// read takes over what the files hold, unless they are as they were.
func (f *certificateFiles) read() error {
	var stamps [2]stampOf
	for i, name := range []string{f.cert, f.key} {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		stamps[i] = stampOf{info.ModTime(), info.Size()}
	}
	if stamps == f.stamps {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return err
	}
	f.stamps, f.pair = stamps, &pair
	return nil
}

// certificate returns the newest certificate. While the files cannot be read, or do not belong together yet, it is the one
// before.
func (f *certificateFiles) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if now.Before(f.looked.Add(lookEvery)) {
		return f.pair, nil
	}
	f.looked = now
	before := f.pair
	if err := f.read(); err != nil {
		f.log.Warn("the new certificate cannot be used", "error", err)
	} else if f.pair != before {
		f.log.Info("the certificate has been renewed")
	}
	return f.pair, nil
}

// config serves TLS with the certificate. Where clients are asked for theirs they may have none, and whether one is good
// is for the flows to say: it depends on the tenant.
func (f *certificateFiles) config(ask bool) *tls.Config {
	c := &tls.Config{GetCertificate: f.certificate, MinVersion: tls.VersionTLS12, CipherSuites: suites}
	if ask {
		c.ClientAuth = tls.RequestClientCert
	}
	return c
}

// tls returns how the public listener and the one for client certificates serve; nil: without TLS.
func (s *serve) tls(log *slog.Logger) (public, mutual *tls.Config, err error) {
	if s.TLSCert == "" && s.TLSKey == "" {
		if s.MTLSListen != "" {
			return nil, nil, errors.New("--mtls-listen needs --tls-cert and --tls-key")
		}
		return nil, nil, nil
	}
	files, err := readCertificate(s.TLSCert, s.TLSKey, log)
	if err != nil {
		return nil, nil, err
	}
	return files.config(s.MTLSListen == ""), files.config(true), nil
}

// mutualURL is where clients reach the server with their certificates, or empty where that is where everybody does.
func (s *serve) mutualURL(listener net.Listener) (string, error) {
	at := s.MTLSURL
	if at == "" {
		if listener == nil {
			return "", nil
		}
		at = "https://" + reachable(listener.Addr(), s.MTLSListen)
	}
	u, err := url.Parse(strings.TrimRight(at, "/"))
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", fmt.Errorf("--mtls-url %q is not an https URL without query and fragment", at)
	}
	return u.String(), nil
}
