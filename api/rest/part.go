package rest

import (
	"errors"
	"net/http"
	"time"
)

// WritePart sends a part of an answer. It fails after ClientTimeout if the client does not read.
func WritePart(w http.ResponseWriter, out *http.ResponseController, part []byte) error {
	err := out.SetWriteDeadline(time.Now().Add(ClientTimeout))
	if err != nil && !errors.Is(err, http.ErrNotSupported) { // httptest.ResponseRecorder has no connection
		return err
	}
	_, err = w.Write(part)
	return err
}
