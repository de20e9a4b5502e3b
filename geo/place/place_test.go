package place

import (
	"fmt"
	"strings"
	"testing"
)

func collection(features ...string) []byte {
	return []byte(`{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`)
}

func point(id, properties, coordinates string) string {
	const feature = `{"type":"Feature"%s,"properties":{%s},"geometry":{"type":"Point","coordinates":%s}}`
	return fmt.Sprintf(feature, id, properties, coordinates)
}

func TestReadTakesIDsOfFeaturesAndProperties(t *testing.T) {
	got, err := Read(collection(point(`,"id":7`, `"name":"Chợ Đồng Xuân","name_en":"Dong Xuan","type":"market"`,
		`[105.85,21.04]`), point("", `"id":"b","name":" Hồ Gươm "`, `[105.852,21.028,5]`)))
	if err != nil || len(got) != 2 || got[0].ID != "7" || got[0].Type != "market" || got[0].Name.En != "Dong Xuan" ||
		got[1].ID != "b" || got[1].Name.Vi != "Hồ Gươm" || got[1].Point.Lat() != 21.028 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestReadNamesFaults(t *testing.T) {
	good := point(`,"id":"a"`, `"name":"A"`, `[105,21]`)
	for text, want := range map[string]string{
		"nonsense":                       "is not GeoJSON",
		`{"type":"Feature"}`:             `must be a FeatureCollection, got type "Feature"`,
		string(collection()):             "has no features",
		string(collection(good, good)):   "feature 1: has the same id as feature 0",
		string(collection(good, `{}`)):   "feature 1: ",
		string(collection(`{"id":"a"}`)): `must be a Feature, got type ""`,
		string(collection(`{"type":"Feature","id":"a","properties":{"name":"A"}}`)): "must be a Point",
		strings.Repeat("[", 300_000): "at most 50000 places",
	} {
		if _, err := Read([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", text, err, want)
		}
	}
	for _, c := range []struct{ id, properties, coordinates, want string }{
		{`,"id":"a"`, ``, `[105,21]`, "has no name"},
		{``, `"name":"A"`, `[105,21]`, "id"},
		{`,"id":"a"`, `"name":"A"`, `[21,105]`, "is not longitude, latitude"},
		{`,"id":"a"`, `"name":"A"`, `[0,0]`, "is not longitude, latitude"},
		{`,"id":"a"`, `"name":"A"`, `["x"]`, "must be longitude, latitude"},
		{`,"id":"a"`, `"name":"` + strings.Repeat("x", 300) + `"`, `[1,1]`, "longer than 200"},
	} {
		_, err := Read(collection(point(c.id, c.properties, c.coordinates)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c, err)
		}
	}
	many := strings.Repeat(`{},`, 500)
	if _, err := Read(collection(many + `{}`)); err == nil || strings.Count(err.Error(), "\n") > maxFaults {
		t.Errorf("faults of many: %v", err)
	}
}
