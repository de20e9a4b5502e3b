package mqtttest

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// Log keeps the text of a logger, for a test to read while the logger writes. The zero Log is empty and ready to use.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Logger returns a logger that writes to the log.
func (l *Log) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns the whole text.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Count returns how often a text occurs.
func (l *Log) Count(text string) int { return strings.Count(l.String(), text) }

// Repeated returns a line that contains the text and occurs more than once, its time aside; "" if there is none.
func (l *Log) Repeated(text string) string {
	seen := make(map[string]bool)
	for line := range strings.Lines(l.String()) {
		_, message, _ := strings.Cut(line, " ") // the first field is the time
		if !strings.Contains(message, text) {
			continue
		}
		if seen[message] {
			return message
		}
		seen[message] = true
	}
	return ""
}
