// Package memorytest measures the peak memory of code in a process of its own.
package memorytest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// variable names the test that runs in the process of its own.
const variable = "NHIP_MEMORY_TEST"

// Peak runs the calling test again in a process of its own, where Peak calls run, and returns the peak resident memory
// of that process in bytes. measured is false in that process; the test must then return. A process that does nothing
// has about 20 MB.
func Peak(t *testing.T, run func()) (bytes int64, measured bool) {
	t.Helper()
	if os.Getenv(variable) == t.Name() {
		run()
		fmt.Printf(mark, highWaterMark(t))
		return 0, false
	}
	parts := strings.Split(t.Name(), "/")
	for i := range parts {
		parts[i] = "^" + regexp.QuoteMeta(parts[i]) + "$"
	}
	c := exec.Command(program(t), "-test.run="+strings.Join(parts, "/"), "-test.v", "-test.timeout=2m")
	c.Env = append(os.Environ(), variable+"="+t.Name())
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("the process of the test: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("the process did not run the test:\n%s", out)
	}
	_, text, _ := strings.Cut(string(out), mark[:strings.IndexByte(mark, '%')])
	var kB int64
	if _, err := fmt.Sscan(text, &kB); err != nil {
		t.Fatalf("the process printed no peak: %v\n%s", err, out)
	}
	return kB << 10, true
}

var (
	built = sync.OnceValues(build)
	dir   string // of what was built
)

// program returns the program of the package's tests. With the race detector it is built again without, because the
// detector needs many times as much memory.
func program(t *testing.T) string {
	t.Helper()
	if !race {
		return os.Args[0]
	}
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func build() (string, error) {
	var err error
	if dir, err = os.MkdirTemp("", "nhip-memorytest"); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "test")
	if out, err := exec.Command("go", "test", "-c", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("can't build the tests without the race detector: %w\n%s", err, out)
	}
	return path, nil
}

// Main runs the tests of a package that uses Peak, and removes what Peak has built.
func Main(m *testing.M) {
	code := m.Run()
	if dir != "" {
		_ = os.RemoveAll(dir) // only temporary
	}
	os.Exit(code)
}

// mark is how the process prints its peak.
const mark = "\npeak memory in kB: %d\n"

// highWaterMark returns the peak resident memory of this process in kB. The maximum that the operating system reports
// to the parent would include the parent's own memory at the fork.
func highWaterMark(t *testing.T) (kB int64) {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	_, text, found := strings.Cut(string(raw), "VmHWM:")
	if err == nil && found {
		_, err = fmt.Sscan(text, &kB)
	}
	if err != nil || kB == 0 {
		t.Fatalf("no VmHWM in /proc/self/status: %v", err)
	}
	return kB
}
