package httpserver

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

// unwrapOnly is a writer that can flush only by what it unwraps to.
type unwrapOnly struct{ http.ResponseWriter }

func (w unwrapOnly) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestFlushReachesTheConnection: otherwise the events of a stream wait in a buffer.
func TestFlushReachesTheConnection(t *testing.T) {
	for name, wrap := range map[string]func(http.ResponseWriter) http.ResponseWriter{
		"a flusher":        func(w http.ResponseWriter) http.ResponseWriter { return w },
		"behind a wrapper": func(w http.ResponseWriter) http.ResponseWriter { return unwrapOnly{w} },
	} {
		recorder := httptest.NewRecorder()
		w := Wrap(wrap(recorder))
		if err := http.NewResponseController(w).Flush(); err != nil || !recorder.Flushed || w.Status() != http.StatusOK {
			t.Errorf("%s: flushed %t, status %d: %v", name, recorder.Flushed, w.Status(), err)
		}
	}
	cannot := Wrap(unwrapOnly{struct{ http.ResponseWriter }{httptest.NewRecorder()}})
	if err := http.NewResponseController(cannot).Flush(); !errors.Is(err, http.ErrNotSupported) {
		t.Errorf("a writer that can't flush: %v", err)
	}
}
