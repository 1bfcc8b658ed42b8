package check

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	gateway "sigs.k8s.io/gateway-api/apis/v1"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

const (
	chart     = "../chancery"
	release   = "id"
	namespace = "identity"
)

// helm runs helm, which .ci/helm names, and returns what it wrote.
func helm(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	program := os.Getenv("HELM")
	if program == "" {
		t.Fatal("HELM does not name the program helm: run .ci/helm")
	}
	cmd := exec.Command(program, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("helm %s: %w: %s%s", args[0], err, errs.String(), out.String())
	}
	return out.String(), nil
}

// template renders the chart.
func template(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	return helm(t, append([]string{"template", name, chart, "--namespace", namespace}, args...)...)
}

// valuesFiles are the files of the table of values, by name.
func valuesFiles(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(chart, "ci", "*-values.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no values: %v", err)
	}
	all := map[string]string{}
	for _, f := range files {
		all[strings.TrimSuffix(filepath.Base(f), "-values.yaml")] = f
	}
	return all
}

// decoder decodes objects strictly: a member that the type does not have, or has twice, is an error.
var decoder = func() runtime.Decoder {
	for _, add := range []func(*runtime.Scheme) error{gateway.Install, monitoring.AddToScheme} {
		if err := add(scheme.Scheme); err != nil {
			panic(err)
		}
	}
	return serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
}()

// decode reads every object of a rendered chart.
func decode(text string) (*objects, error) {
	o := &objects{}
	documents := yaml.NewDocumentDecoder(io.NopCloser(strings.NewReader(text)))
	defer documents.Close()
	b := make([]byte, 1<<20)
	for {
		n, err := documents.Read(b)
		if errors.Is(err, io.EOF) {
			return o, nil
		}
		if err != nil {
			return nil, err
		}
		if empty(b[:n]) {
			continue
		}
		object, kind, err := decoder.Decode(b[:n], nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%w in\n%s", err, b[:n])
		}
		if err := o.add(object); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
	}
}

// empty reports whether a document holds comments only.
func empty(document []byte) bool {
	for line := range strings.Lines(string(document)) {
		if line = strings.TrimSpace(line); line != "" && line != "---" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

// rendered is the chart as these values make it.
func rendered(t *testing.T, values string) *objects {
	t.Helper()
	text, err := template(t, release, "--values", values)
	if err != nil {
		t.Fatal(err)
	}
	o, err := decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
