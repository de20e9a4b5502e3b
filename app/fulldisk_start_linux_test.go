package app_test

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"nhip/app"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/suitetest"
)

// TestUpStartsOnFullDisk starts all roles on a disk without any space, on a new and on a used data folder: devices are
// not acknowledged until there is space, and then without a restart.
func TestUpStartsOnFullDisk(t *testing.T) {
	for name, used := range map[string]bool{"new folder": false, "used folder": true} {
		if !used && !suitetest.Full() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			disk := t.TempDir()
			if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=128m"); err != nil {
				t.Skipf("can't mount a small file system on this machine: %v", err)
			}
			t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
			dir := filepath.Join(disk, "data")
			options := func() app.Options {
				o := hungDatabase(t, dir)
				o.Config.Collector.MinFree = 8 << 20
				return o
			}
			if used {
				p := apptest.StartNow(t, app.Up, options())
				p.Publish(t, apptest.Position("before", time.Now(), 21.03, 105.85))
				p.Stop(t)
			}
			filler := filepath.Join(disk, "filler")
			fillDisk(t, filler)
			p := apptest.StartNow(t, app.Up, options())
			c := p.API(t)
			if used { // a journal notices a full disk when it writes; a new folder has no token yet
				device, err := mqtt.Dial(t.Context(), p.Operator(t, "device"))
				if err != nil {
					t.Fatal(err)
				}
				defer device.Close()
				m := apptest.Position("after", time.Now(), 21.03, 105.85)
				device.Publish(m.Topic, 1, false, []byte(m.Payload))
			}
			awaittest.True(t, "the intake is degraded", func() bool {
				return slices.Contains(apptest.Degraded(t, p.HTTP), "intake")
			})
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			awaittest.True(t, "messages are accepted", func() bool {
				return !slices.Contains(apptest.Degraded(t, p.HTTP), "intake")
			})
			awaittest.True(t, "the token is written", func() bool {
				_, err := os.Stat(filepath.Join(dir, "operator.token"))
				return err == nil
			})
			p.Publish(t, apptest.Position("after", time.Now(), 21.03, 105.85))
			want := 1
			if used {
				want = 2
			}
			awaittest.True(t, "the buses are live", func() bool {
				var buses apptest.Features
				if a := c.Get(t, "/v1/buses"); a.Status == 200 {
					apptest.Decode(t, a, &buses)
				}
				return len(buses.Features) == want
			})
			p.Stop(t)
		})
	}
}

// fillDisk writes a file until the disk has no space left.
func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}
