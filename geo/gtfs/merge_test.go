package gtfs_test

import (
	"strings"
	"testing"

	"nhip/geo/gtfs"
)

func TestEveryFaultOfAFileIsTold(t *testing.T) {
	_, err := read(t, with(map[string]string{"stops.txt": "stop_id,stop_name,stop_lat,stop_lon\ns1,Mot,91,105\n,Hai,21,105\ns3,Ba,21,x\n"}))
	if err == nil {
		t.Fatal("it is taken")
	}
	for _, want := range []string{"stops.txt:2: stop_lat", "stops.txt:3: stop_id: is required", "stops.txt:4: stop_lon"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "stop_times.txt") {
		t.Errorf("what refers to a faulty file is blamed, too: %v", err)
	}
	bad := "stop_id,stop_name,stop_lat,stop_lon\n" + strings.Repeat("s,x,y,z\n", 1000)
	if _, err = read(t, with(map[string]string{"stops.txt": bad})); strings.Count(err.Error(), "\n") > 60 {
		t.Errorf("%d faults are told", strings.Count(err.Error(), "\n"))
	}
}

func TestTranslations(t *testing.T) {
	f := mustRead(t, with(map[string]string{
		"translations.txt": "table_name,field_name,language,translation,record_id,field_value\n" +
			"stops,stop_name,en,Two,s2,\nstops,stop_name,en,One,,Một\nroutes,route_long_name,EN,One to three,r1,\n",
	}))
	if got := f.StopName(f.Stop("s2"), "en"); got != "Two" {
		t.Errorf("by record: %q", got)
	}
	if got := f.StopName(&gtfs.Stop{ID: "x", Name: "Một"}, "en"); got != "One" {
		t.Errorf("by value: %q", got)
	}
	if got := f.RouteName(f.Route("r1"), "en"); got != "One to three" {
		t.Errorf("a route: %q", got)
	}
	if got := f.StopName(f.Stop("s2"), "fr"); got != "" {
		t.Errorf("a language that is not there: %q", got)
	}
}

func TestWhatIsNotReadIsNamedAndTheEndIsKnown(t *testing.T) {
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
		t.Errorf("by its service it expires %s", g.Expires())
	}
}
