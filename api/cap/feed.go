package cap

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/capdoc"
)

// FeedType is the media type of the feed (RFC 4287).
const FeedType = "application/atom+xml"

// maxEntries is the number of entries of a feed, the newest ones.
const maxEntries = 1000

// feed is an Atom feed.
type feed struct {
	XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Author  string   `xml:"author>name"`
	Links   []link   `xml:"link"`
	Entries []entry  `xml:"entry"`
}

type link struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

// entry is the newest message about an alert.
type entry struct {
	ID        string `xml:"id"`
	Title     string `xml:"title"`
	Updated   string `xml:"updated"`
	Published string `xml:"published"`
	Link      link   `xml:"link"`
	Summary   string `xml:"summary"`

	sent time.Time
}

// getFeed answers GET /v1/alerts.atom and /v1/alerts.cap with the newest message about each alert that is open or was
// canceled within a day.
func (h *Handler) getFeed(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	now, base := h.Clock.Now(), h.BaseURL(r)
	open, ended := h.Alerts.Alerts()
	ended = slices.DeleteFunc(ended, func(a nhip.Alert) bool { return !a.Time.Add(capdoc.Lasts).After(now) })
	all := h.seen(r.Context(), slices.Concat(open, ended))
	out := feed{
		ID: h.tag("alerts"), Title: "Cảnh báo chất lượng không khí · Air quality alerts",
		Author: cmp.Or(h.Source, "Nhịp"), Links: []link{{"self", FeedType, base + r.URL.Path}},
	}
	for i := range all {
		out.Entries = append(out.Entries, h.entry(&all[i], now, base))
	}
	slices.SortStableFunc(out.Entries, func(a, b entry) int { return b.sent.Compare(a.sent) })
	out.Entries = out.Entries[:min(len(out.Entries), maxEntries)]
	out.Updated = capdoc.Time(now, h.Zone)
	if len(out.Entries) > 0 {
		out.Updated = out.Entries[0].Updated
	}
	raw, err := capdoc.EncodeXML(out)
	if err != nil {
		return err
	}
	h.Bytes(w, FeedType, rest.NoStore, raw)
	return nil
}

// entry returns the newest message about an alert.
func (h *Handler) entry(a *nhip.Alert, now time.Time, base string) entry {
	messages := capdoc.Messages(a, now)
	m := &messages[len(messages)-1]
	t := h.tell(a, m)
	return entry{
		ID: h.tag(m.Identifier), Title: t.headline("vi"), Updated: capdoc.Time(m.Sent, t.zone),
		Published: capdoc.Time(m.Sent, t.zone), Link: link{"alternate", capdoc.ContentType, base + capdoc.Path(a.ID)},
		Summary: t.headline("en"), sent: m.Sent,
	}
}

// tag returns an id of Atom: a tag URI (RFC 4151) of the sender.
func (h *Handler) tag(name string) string { return "tag:" + h.sender() + ",2026:" + name }
