package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestLogsHaveDurationsAsInTheConfiguration(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: formatDurations}))
	log.Info("retrying", "after", 90*time.Minute, "rows", 3)
	if !strings.Contains(out.String(), "after=1h30m rows=3\n") {
		t.Errorf("%s", out.String())
	}
}
