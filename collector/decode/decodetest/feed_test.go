package decodetest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip/collector/decode"

	"github.com/google/go-cmp/cmp"
)

func TestLoadFeed(t *testing.T) {
	hanoi, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, file string
		want       decode.Feed
	}{
		{"none", "", decode.Feed{Agency: "hanoi"}},
		{"empty", `{}`, decode.Feed{Agency: "hanoi"}},
		{
			"all", `{"zone":"Asia/Ho_Chi_Minh","period":"5m","speed_unit":"m/s","agency":"wmata",
			 "fields":[{"name":"air.pm2_5","quantity":"pm25","unit":"mg/m³"}]}`,
			decode.Feed{
				Agency: "wmata", Zone: hanoi, Period: 5 * time.Minute, SpeedUnit: decode.MetresPerSecond,
				Fields: []decode.Field{{Name: "air.pm2_5", Quantity: "pm25", Unit: "mg/m³"}},
			},
		},
	} {
		dir := t.TempDir()
		if c.file != "" {
			if err := os.WriteFile(filepath.Join(dir, "feed.json"), []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		sameZone := cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })
		if diff := cmp.Diff(c.want, *loadFeed(t, dir), sameZone); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
	}
}

func TestFeedFileRejectsInvalidValues(t *testing.T) {
	for _, f := range []feedFile{{Zone: "Asia/Nowhere"}, {Period: "1w"}} {
		if feed, err := f.feed(); err == nil {
			t.Errorf("%+v is read as %+v", f, feed)
		}
	}
}
