package gtfs_test

import (
	"strings"
	"testing"

	"nhip/geo/gtfs"
)

func TestFindingsAreBounded(t *testing.T) {
	bad := small["stops.txt"] + strings.Repeat("s,x,y,z\n", 1000)
	f, err := read(t, with(map[string]string{"stops.txt": bad}))
	if err != nil {
		t.Fatal(err)
	}
	found := f.Findings()
	if listed := len(found.List); listed > 100 || found.Unlisted() < 2000 || found.Count(gtfs.SeverityError) != 1000 {
		t.Errorf("%d listed, %d not listed, %d errors", listed, found.Unlisted(), found.Count(gtfs.SeverityError))
	}
}

func TestTranslations(t *testing.T) {
	f := mustRead(t, with(map[string]string{
		"translations.txt": "table_name,field_name,language,translation,record_id,field_value\n" +
			"stops,stop_name,en,Two,s2,\nstops,stop_name,en,One,,Một\nroutes,route_long_name,EN,One to three,r1,\n",
	}))
	if got := f.StopName(f.Stop("s2"), "en"); got != "Two" {
		t.Errorf("by record id: %q", got)
	}
	if got := f.StopName(&gtfs.Stop{ID: "x", Name: "Một"}, "en"); got != "One" {
		t.Errorf("by field value: %q", got)
	}
	if got := f.RouteName(f.Route("r1"), "en"); got != "One to three" {
		t.Errorf("route: %q", got)
	}
	if got := f.StopName(f.Stop("s2"), "fr"); got != "" {
		t.Errorf("unknown language: %q", got)
	}
}

func TestUnreadAndExpires(t *testing.T) {
	f := mustRead(t, with(map[string]string{
		"pathways.txt": "pathway_id\n", "transfers.txt": "from_stop_id\n",
		"feed_info.txt": "feed_publisher_name,feed_publisher_url,feed_lang,feed_end_date\nx,http://x.example,vi,20260630\n",
	}))
	if strings.Join(f.Unread, " ") != "pathways.txt transfers.txt" {
		t.Errorf("unread: %v", f.Unread)
	}
	if f.Expires() != 20260630 {
		t.Errorf("expires %s", f.Expires())
	}
	if g := mustRead(t, small); g.Expires() != 20261231 {
		t.Errorf("expires %s, by its services", g.Expires())
	}
}
