package open311

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/problem"

	"github.com/go-chi/chi/v5"
)

// Media types of answers.
const (
	typeXML  = "text/xml; charset=utf-8"
	typeJSON = "application/json; charset=utf-8"
)

// text is a text that may be unknown: null in JSON, an empty element in XML.
type text string

// MarshalJSON implements json.Marshaler.
func (t text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// number is a number that may be unknown: null in JSON, an empty element in XML.
type number struct{ nhip.Opt[float64] }

// MarshalXML implements xml.Marshaler.
func (n number) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	s := ""
	if v, ok := n.Get(); ok {
		s = strconv.FormatFloat(v, 'f', -1, 64)
	}
	return e.EncodeElement(s, start)
}

// reply is an answer in both forms. In JSON the wrapper of a list is dropped.
type reply struct {
	status int // 0: 200
	json   any
	xml    any
}

// handle returns an HTTP handler that sends the reply of h in the format of the address, or its error as the
// specification defines.
func (h *Handler) handle(answer func(w http.ResponseWriter, r *http.Request) (reply, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		format := chi.URLParam(r, "format")
		if format != "json" && format != "xml" {
			h.fail(w, r, "json", nhip.Errorf(nhip.CodeNotFound, "", "the formats are json and xml"))
			return
		}
		out, err := answer(w, r)
		if err == nil {
			err = send(w, format, out)
		}
		if err != nil {
			h.fail(w, r, format, err)
		}
	}
}

// send writes a reply.
func send(w http.ResponseWriter, format string, out reply) error {
	body, contentType := bytes.NewBufferString(xml.Header), typeXML
	var err error
	if format == "json" {
		body.Reset()
		contentType, err = typeJSON, json.NewEncoder(body).Encode(out.json)
	} else {
		err = xml.NewEncoder(body).Encode(out.xml)
	}
	if err != nil {
		return err
	}
	head := w.Header()
	head.Set("Content-Type", contentType)
	if head.Get("Cache-Control") == "" {
		head.Set("Cache-Control", rest.NoStore)
	}
	w.WriteHeader(max(out.status, http.StatusOK))
	_, _ = w.Write(body.Bytes()) // fails if the client disconnected
	return nil
}

// failure is an error of the specification.
type failure struct {
	XMLName     xml.Name `json:"-" xml:"error"`
	Code        int      `json:"code" xml:"code"`
	Description string   `json:"description" xml:"description"`
}

// failures is the list of errors in XML.
type failures struct {
	XMLName xml.Name  `xml:"errors"`
	Errors  []failure `xml:"error"`
}

// retryAfter is the Retry-After of status 429 and 503, in seconds.
const retryAfter = "60"

// fail writes an error: its HTTP status as the code, and the field and the rule that the request violates. An internal
// error is logged and its text is not sent.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, format string, err error) {
	if r.Context().Err() != nil {
		return // the client disconnected
	}
	status, description := problem.Status(nhip.ErrorCode(err)), "internal error"
	var known *nhip.Error
	if status < http.StatusInternalServerError || status == http.StatusServiceUnavailable {
		if errors.As(err, &known) {
			description = known.Error()
		}
	} else {
		h.Logger.Error("request failed", "route", rest.RoutePattern(r), "error", err)
	}
	switch status {
	case http.StatusUnauthorized:
		status = http.StatusForbidden // the specification has no 401
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	}
	w.Header().Set("Cache-Control", rest.NoStore)
	all := []failure{{Code: status, Description: description}}
	_ = send(w, format, reply{status, all, failures{Errors: all}}) // texts and numbers are always encodable
}
