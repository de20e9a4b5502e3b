// Package deadletter stores what the collector rejected: as files of JSON lines, one for each day of arrival and
// kind. Letters can be listed, read and replayed until their day is pruned.
package deadletter

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const fileSuffix = ".jsonl"

// fileName returns the name of a kind's file of a day: "2026-02-16.jsonl", "2026-02-16.refused.jsonl".
func (k Kind) fileName(day string) string {
	if k == Messages {
		return day + fileSuffix
	}
	return day + "." + string(k) + fileSuffix
}

// fileDay returns the day of a file of any kind, or "" for other files.
func fileDay(name string) string {
	day, _, _ := strings.Cut(name, ".")
	if len(day) != len(time.DateOnly) || !strings.HasSuffix(name, fileSuffix) {
		return ""
	}
	return day
}

// files returns the names of a kind's files, the oldest first.
func (k Kind) files(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("can't list the dead letters: %w", err)
	}
	var names []string
	for _, e := range entries {
		if day := fileDay(e.Name()); day != "" && e.Name() == k.fileName(day) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Prune deletes the letters of the oldest days: those before firstDay, and more as long as all files together exceed
// maxBytes. It keeps the newest day. Refused rows were accepted: their day's are deleted only if replayed reports that
// all of them have been replayed. It returns the days of which it deleted letters, also with an error.
func Prune(dir string, firstDay time.Time, maxBytes int64, replayed func(day string) bool) (deleted []string,
	err error,
) {
	days, sizes, err := daySizes(dir)
	if err != nil {
		return nil, err
	}
	var total int64
	for _, size := range sizes {
		total += size.all()
	}
	for _, day := range days[:max(0, len(days)-1)] {
		if day >= dayOf(firstDay) && total <= maxBytes {
			break
		}
		kinds := []Kind{Messages}
		if sizes[day][Rows] == 0 || replayed(day) {
			kinds = []Kind{Messages, Rows, Replays}
		}
		freed := false
		for _, k := range kinds {
			if err := k.remove(dir, day); err != nil {
				return deleted, err
			}
			total -= sizes[day][k]
			freed = freed || sizes[day][k] > 0
		}
		if freed {
			deleted = append(deleted, day)
		}
	}
	return deleted, nil
}

// kindSizes are the sizes of a day's files in bytes.
type kindSizes map[Kind]int64

func (s kindSizes) all() int64 { return s[Messages] + s[Rows] + s[Replays] }

// daySizes returns the days that have files, the oldest first, and the sizes of each day's files.
func daySizes(dir string) (days []string, sizes map[string]kindSizes, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("can't list the dead letters: %w", err)
	}
	sizes = make(map[string]kindSizes)
	for _, e := range entries {
		day := fileDay(e.Name())
		info, err := e.Info()
		if day == "" || err != nil {
			continue
		}
		if sizes[day] == nil {
			days, sizes[day] = append(days, day), make(kindSizes)
		}
		for _, k := range []Kind{Messages, Rows, Replays} {
			if e.Name() == k.fileName(day) {
				sizes[day][k] = info.Size()
			}
		}
	}
	return days, sizes, nil
}

// remove deletes a kind's file of a day.
func (k Kind) remove(dir, day string) error {
	err := os.Remove(filepath.Join(dir, k.fileName(day)))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("can't delete old dead letters: %w", err)
	}
	return nil
}

// Size returns the size of all files together, in bytes. It omits files whose size can't be read.
func Size(dir string) (sum int64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // fails if the file was deleted in the meantime
			sum += info.Size()
		}
	}
	return sum
}
