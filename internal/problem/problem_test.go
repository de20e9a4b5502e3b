package problem

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"nhip"
)

func TestInternalErrorsAreNotShown(t *testing.T) {
	for _, err := range []error{
		errors.New("s3cret"), nhip.Errorf(nhip.CodeInternal, "time", "s3cret"),
		fmt.Errorf("around: %w", nhip.Errorf(nhip.CodeInternal, "", "a row does not match: s3cret")),
	} {
		w := httptest.NewRecorder()
		if Answer(w, err) != http.StatusInternalServerError || strings.Contains(w.Body.String(), "s3cret") {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	if Answer(w, nhip.Errorf(nhip.CodeInvalid, "near", "must be near")); !strings.Contains(w.Body.String(),
		"must be near") {
		t.Errorf("%s", w.Body)
	}
}
