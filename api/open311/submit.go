package open311

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/rest"
	"nhip/api/senders"
	"nhip/internal/httpserver"
)

// created is the answer to a report.
type created struct {
	ID        string `json:"service_request_id" xml:"service_request_id"`
	Notice    text   `json:"service_notice" xml:"service_notice"`
	AccountID text   `json:"account_id" xml:"account_id"`
}

// sender is who sends a report.
type sender struct {
	caller  access.Caller
	address netip.Addr
	token   string // of the form; "" with a key
	same    string // what else a report must share with another one to repeat it; it is not stored
}

// postRequest answers POST /open311/v2/requests.
func (h *Handler) postRequest(w http.ResponseWriter, r *http.Request) (reply, error) {
	out, err := h.submit(w, r)
	if err != nil {
		h.refused.WithLabelValues(string(nhip.ErrorCode(err))).Inc()
	}
	return out, err
}

func (h *Handler) submit(w http.ResponseWriter, r *http.Request) (reply, error) {
	q := rest.ReadQuery(r, "jurisdiction_id", "api_key")
	if _ = q.Text("api_key"); q.Err != nil { // must not be empty
		return reply{}, q.Err
	}
	release, err := h.uploads.start(httpserver.ShareAddr(r))
	if err != nil {
		return reply{}, err
	}
	defer release()
	r.Body = &promptBody{r.Body, time.Now().Add(bodyTime)}
	f, err := readForm(w, r)
	if err != nil {
		return reply{}, err
	}
	from, err := h.senderOf(r, &f)
	if err != nil {
		return reply{}, err
	}
	in, err := f.parse(h.now())
	if err != nil {
		return reply{}, err
	}
	report, err := h.Around.enrich(r.Context(), in, h.now())
	if err != nil {
		return reply{}, err
	}
	httpserver.Yield(r) // the rest waits for the photo's turn and for the collectors
	report.App, report.ID = from.caller.Key, newID()
	id, err := h.keep(r.Context(), from, in, report, f.photo)
	if err != nil {
		return reply{}, err
	}
	h.taken.WithLabelValues(report.Service).Inc()
	out := listOf([]created{{ID: id, Notice: notice(report, in.lang)}})
	out.status = http.StatusCreated
	return out, nil
}

// now returns the time, as documents carry it.
func (h *Handler) now() time.Time { return h.Clock.Now().UTC().Truncate(time.Millisecond) }

// newID returns the id of a report: it can be read out, and can't be guessed.
func newID() string { return rand.Text()[:12] }

var errNoKey = nhip.Errorf(nhip.CodeForbidden, "api_key",
	"is missing or invalid: a report needs the key of an app, or form_token of /open311/v2/form")

// senderOf returns who sends a form: an app by its api_key, anybody with credentials, or our own form by its token.
func (h *Handler) senderOf(r *http.Request, f *form) (sender, error) {
	from := sender{caller: rest.CallerOf(r), address: httpserver.ClientAddr(r)}
	key, err := f.one("api_key")
	if err != nil {
		return from, err
	}
	if key = cmp.Or(key, r.URL.Query().Get("api_key")); key != "" {
		withKey := r.Clone(r.Context())
		withKey.Header.Del("Cookie")
		withKey.Header.Set("Authorization", "Bearer "+key)
		caller, outcome := h.Callers.Authenticate(withKey)
		switch outcome {
		case access.Allowed:
			from.caller = caller
			return from, nil
		case access.Slowed:
			return from, nhip.Errorf(nhip.CodeTooMany, "api_key", "too many wrong keys from this address; wait")
		}
		return from, errNoKey
	}
	if from.caller.Key != "" {
		return from, nil
	}
	if from.token, err = f.one(senders.TokenField); err != nil || from.token == "" {
		return from, cmp.Or(err, error(errNoKey))
	}
	return from, nil
}

// name returns what a sender is the same by: an address alone may be that of many, so the device counts, too.
func (s *sender) name(device string) string {
	return s.caller.Key + "\x00" + s.address.String() + "\x00" + device
}

// keep stores a report with its photo and its contact, and returns its id, or that of the recent report which it
// repeats.
func (h *Handler) keep(
	ctx context.Context, from sender, in *submission, r *nhip.CitizenReport, raw []byte,
) (id string, err error) {
	if from.token != "" {
		giveBack, err := h.tokens.Take(from.token, from.address, time.Now())
		if err != nil {
			return "", err
		}
		defer func() { // named result: a report that is not kept may be sent again with the token
			if id == "" {
				giveBack()
			}
		}()
	}
	if err := checkSize(r); err != nil {
		return "", err
	}
	mine := newRecent(from.name(cmp.Or(from.same, in.contact.DeviceID)), r)
	known := h.repeats.find(mine)
	if r.ID = known.id; h.repeats.isKept(known) {
		return known.id, nil
	}
	if err := h.limiter.take(httpserver.Prefix(from.address), from.caller.Key, r.Received); err != nil {
		return "", err
	}
	if len(raw) > 0 {
		if err := h.keepPhoto(ctx, r, raw); err != nil {
			return "", err
		}
	}
	if err := h.keepDocuments(ctx, &in.contact, r, from.caller); err != nil {
		return "", err
	}
	h.repeats.confirm(known)
	return r.ID, nil
}

func (h *Handler) keepPhoto(ctx context.Context, r *nhip.CitizenReport, raw []byte) error {
	small, err := h.pictures.Process(ctx, raw)
	if err != nil {
		return err
	}
	r.Photo = true
	return h.Photos.Put(ctx, r.ID, small)
}

// keepDocuments stores the contact, and then the report: a contact without a report is deleted with the others, and a
// report without its contact could not be answered.
func (h *Handler) keepDocuments(
	ctx context.Context, c *nhip.ReportContact, r *nhip.CitizenReport, by access.Caller,
) error {
	c.Report = r.ID
	if !c.Empty() {
		if err := h.Store.SetContact(ctx, r.ID, c, by); err != nil {
			return err
		}
	}
	err := h.Store.SetReport(ctx, r, 0, by)
	if nhip.ErrorCode(err) == nhip.CodeConflict {
		return nil // it was kept before, and the confirmation did not arrive
	}
	return err
}

// maxReportBytes is the largest report as JSON. The rest of a document is for the answer and the notes of staff.
const maxReportBytes = 20 << 10

// checkSize rejects a report whose texts are too large as JSON: some characters need six bytes there.
func checkSize(r *nhip.CitizenReport) error {
	raw, err := json.Marshal(r)
	switch {
	case err != nil:
		return err
	case len(raw) > maxReportBytes:
		return nhip.Errorf(nhip.CodeInvalid, "description", "must be shorter: the report has %d bytes, the limit is %d",
			len(raw), maxReportBytes)
	}
	return errorOf(r.Validate())
}

// errorOf returns a rule of the domain as the error of a request.
func errorOf(err error) error {
	if err == nil {
		return nil
	}
	var known *nhip.Error
	if errors.As(err, &known) {
		return rangeless(known)
	}
	return err
}

// notice tells the sender which position is kept.
func notice(r *nhip.CitizenReport, lang string) text {
	about := map[nhip.ReportPlace]nhip.LocalizedText{
		nhip.ReportAtStop: {Vi: "Chỉ lưu vị trí của điểm dừng.", En: "Only the position of the stop is kept."},
		nhip.ReportAtBus:  {Vi: "Chỉ lưu vị trí của xe buýt.", En: "Only the position of the bus is kept."},
		nhip.ReportAtSender: {
			Vi: "Vị trí của bạn được lưu vì bạn đã chọn.", En: "Your position is kept, as you have chosen.",
		},
		nhip.ReportNearby: {
			Vi: "Vị trí của bạn được làm tròn khoảng 500 m.", En: "Your position is rounded to about 500 m.",
		},
	}[r.Place]
	return text(about.In(lang))
}
