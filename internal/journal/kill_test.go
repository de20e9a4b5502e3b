package journal

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// These environment variables make the test binary run as a child process with a role, on the journal in a folder.
const (
	childDir  = "NHIP_TEST_JOURNAL_CHILD"
	childRole = "NHIP_TEST_JOURNAL_ROLE"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := childRoles()[os.Getenv(childRole)](dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child returns a command that runs the test binary in a role.
func child(t *testing.T, role, dir string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childRole+"="+role)
	return cmd
}

// appendUntilKilled appends with four goroutines and prints "<seq> <record>" for each acknowledged record.
func appendUntilKilled(dir string) error {
	j, err := Open(dir, Options{SegmentBytes: 8 << 10})
	if err != nil {
		return err
	}
	start := j.LastSeq()
	var wg sync.WaitGroup
	for a := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				record := fmt.Sprintf("after-%d-%d-%d", start, a, i)
				if got := appendOne(j, record); got.err == nil {
					fmt.Printf("%d %s\n", got.seq, record)
				}
			}
		})
	}
	wg.Wait()
	return errors.New("the child was not killed")
}

// TestKillKeepsAcknowledgedRecords repeatedly kills a process that appends.
func TestKillKeepsAcknowledgedRecords(t *testing.T) {
	dir := t.TempDir()
	acked := map[uint64]string{}
	for round := range 5 {
		runAndKill(t, dir, 100+97*round, acked)
		j := mustOpen(t, dir, Options{SegmentBytes: 8 << 10})
		checkAcked(t, j, acked)
		mustClose(t, j)
	}
	if len(acked) < 1000 {
		t.Errorf("only %d records were acknowledged", len(acked))
	}
}

// runAndKill runs the child until it has acknowledged some records, kills it, and adds the records to acked.
func runAndKill(t *testing.T, dir string, after int, acked map[uint64]string) {
	t.Helper()
	cmd := child(t, "appender", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for n := 0; ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // the last line may be incomplete and is ignored
		}
		var seq uint64
		var record string
		if _, err := fmt.Sscan(line, &seq, &record); err != nil || acked[seq] != "" {
			t.Fatalf("child printed %q, seq already acknowledged for %q: %v", line, acked[seq], err)
		}
		acked[seq] = record
		if n == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("child ended with %v, want a kill", err)
	}
}

func checkAcked(t *testing.T, j *Journal, acked map[uint64]string) {
	t.Helper()
	found, seen, next := 0, map[string]bool{}, uint64(1)
	for _, e := range readFrom(t, j, 0) {
		if e.Seq != next || seen[e.Record] {
			t.Fatalf("seq %d %q: want seq %d, once", e.Seq, e.Record, next)
		}
		next, seen[e.Record] = e.Seq+1, true
		if want, ok := acked[e.Seq]; ok {
			found++
			if e.Record != want {
				t.Errorf("seq %d is %q, want %q", e.Seq, e.Record, want)
			}
		}
	}
	if found != len(acked) {
		t.Errorf("%d of %d acknowledged records found", found, len(acked))
	}
	if s := j.Stats(); s.LostRecords != 0 || s.DamagedParts != 0 {
		t.Errorf("stats after a kill %+v", s)
	}
}
