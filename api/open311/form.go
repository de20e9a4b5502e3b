package open311

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"

	"nhip"
	"nhip/internal/photo"
)

// Bounds of a request.
const (
	maxFormBytes  = 64 << 10 // of all fields
	maxFields     = 100
	maxValueBytes = 32 << 10 // of one field: 4000 characters of four bytes, and more
	maxMultipart  = photo.MaxUpload + 128<<10
)

// mediaField is the name of the file in a multipart form.
const mediaField = "media"

// form is what a client has sent: fields by name, and a photo.
type form struct {
	url.Values

	photo []byte
}

var (
	errTooLarge = nhip.Errorf(nhip.CodeTooLarge, "", "the fields must have at most %d bytes in all", maxFormBytes)
	errPhoto    = nhip.Errorf(nhip.CodeTooLarge, mediaField, "must have at most %d bytes", photo.MaxUpload)
	errFields   = nhip.Errorf(nhip.CodeInvalid, "", "there must be at most %d fields", maxFields)
	errType     = nhip.Errorf(nhip.CodeInvalid, "Content-Type",
		"must be application/x-www-form-urlencoded, multipart/form-data or application/json")
)

// readForm reads the body of a request: a form as the specification defines, a form with a photo, or a JSON object.
func readForm(w http.ResponseWriter, r *http.Request) (form, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return form{}, errType
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		raw, err := readAll(w, r)
		if err != nil {
			return form{}, err
		}
		return parseURLEncoded(string(raw))
	case "application/json":
		raw, err := readAll(w, r)
		if err != nil {
			return form{}, err
		}
		return parseJSON(raw)
	case "multipart/form-data":
		body := http.MaxBytesReader(w, r.Body, maxMultipart)
		return parseMultipart(multipart.NewReader(body, params["boundary"]))
	}
	return form{}, errType
}

func readAll(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFormBytes))
	return raw, bodyError(err, errTooLarge)
}

// bodyError returns the error of a body that can't be read.
func bodyError(err error, tooLarge *nhip.Error) error {
	var limit *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &limit):
		return tooLarge
	case errors.Is(err, errSlowBody):
		return errSlowBody
	}
	return nhip.Errorf(nhip.CodeInvalid, "", "the body can't be read: %v", err)
}

func parseURLEncoded(raw string) (form, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return form{}, nhip.Errorf(nhip.CodeInvalid, "", "the body is no form: %v", err)
	}
	f := form{Values: values}
	return f, f.check()
}

// check bounds the number of fields and the length of each.
func (f *form) check() error {
	n := 0
	for name, values := range f.Values {
		for _, v := range values {
			if n++; n > maxFields {
				return errFields
			}
			if len(v) > maxValueBytes {
				return nhip.Errorf(nhip.CodeTooLarge, name, "must have at most %d bytes", maxValueBytes)
			}
		}
	}
	return nil
}

// parseMultipart reads the parts in memory. The file is the part named media; parts of other names must be fields.
func parseMultipart(in *multipart.Reader) (form, error) {
	f, size := form{Values: make(url.Values)}, 0
	for n := 0; ; n++ {
		part, err := in.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return f, f.check()
		case err != nil:
			return f, bodyError(err, errPhoto)
		case n >= maxFields:
			return f, errFields
		}
		name := part.FormName()
		if name == mediaField {
			if f.photo != nil {
				return f, nhip.Errorf(nhip.CodeInvalid, mediaField, "must be given once")
			}
			if f.photo, err = io.ReadAll(io.LimitReader(part, photo.MaxUpload+1)); err != nil {
				return f, bodyError(err, errPhoto)
			}
			if len(f.photo) > photo.MaxUpload {
				return f, errPhoto
			}
			continue
		}
		if name == "" || part.FileName() != "" {
			return f, nhip.Errorf(nhip.CodeInvalid, name, "must be a field with a name; the only file is media")
		}
		value, err := io.ReadAll(io.LimitReader(part, maxFormBytes+1))
		if err != nil {
			return f, bodyError(err, errTooLarge)
		}
		if size += len(name) + len(value); size > maxFormBytes {
			return f, errTooLarge
		}
		f.Add(name, string(value))
	}
}
