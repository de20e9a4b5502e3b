package oba_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/citytest"
)

// Fields whose absence blanks a screen of the iOS app or ends the app, by element. A field that may be empty is there
// as "". Android wants fewer.
var (
	agencyFields    = "id name lang phone privateService timezone url"
	routeFields     = "id agencyId shortName type"
	stopFields      = "id name code lat lon locationType routeIds"
	tripFields      = "id routeId blockId serviceId routeShortName tripShortName timeZone"
	situationFields = "id creationTime activeWindows allAffects consequences publicationWindows reason severity"
	statusFields    = "activeTripId blockTripSequence closestStop closestStopTimeOffset distanceAlongTrip " +
		"lastLocationUpdateTime lastUpdateTime nextStopTimeOffset orientation phase predicted scheduleDeviation " +
		"scheduledDistanceAlongTrip serviceDate situationIds status totalDistanceAlongTrip"
	arrivalFields = "arrivalEnabled departureEnabled blockTripSequence distanceFromStop lastUpdateTime " +
		"numberOfStopsAway predicted routeId tripId stopId stopSequence scheduledArrivalTime scheduledDepartureTime " +
		"serviceDate situationIds status vehicleId tripStatus"
	boardFields  = "stopId nearbyStopIds situationIds arrivalsAndDepartures"
	detailFields = "tripId serviceDate situationIds schedule"
	callFields   = "tripId serviceId arrivalTime departureTime arrivalEnabled departureEnabled"
)

// fieldsOf are the fields of the elements in an answer, by the name of the field that holds them.
var fieldsOf = map[string]string{
	"agencies": agencyFields, "routes": routeFields, "stops": stopFields, "trips": tripFields,
	"situations": situationFields, "tripStatus": statusFields, "arrivalsAndDepartures": arrivalFields,
	"allAffects": "agencyId applicationId directionId routeId stopId tripId", "activeWindows": "from",
	"polylines": "points", "stopGroupings": "type ordered stopGroups", "stopGroups": "id name polylines stopIds",
	"scheduleStopTimes": callFields, "stopRouteSchedules": "routeId stopRouteDirectionSchedules",
	"stopRouteDirectionSchedules": "tripHeadsign scheduleStopTimes",
	"stopTripGroupings":           "directionId stopIds tripHeadsigns tripIds tripsWithStopTimes",
	"tripsWithStopTimes":          "tripId stopTimes", "consequences": "condition",
}

// missing returns the fields that are absent or null, anywhere in a part of an answer that has the name.
func missing(name string, part any) (out []string) {
	switch x := part.(type) {
	case []any:
		for _, y := range x {
			out = append(out, missing(name, y)...)
		}
	case map[string]any:
		for f := range strings.FieldsSeq(fieldsOf[name]) {
			if x[f] == nil {
				out = append(out, name+"."+f)
			}
		}
		for key, y := range x {
			out = append(out, missing(key, y)...)
		}
	}
	return out
}

// The requests of the apps, with the fields of their entry or of each element of their list.
var appRequests = []struct{ path, entry, list string }{
	{"agencies-with-coverage.json", "", "agencyId lat lon latSpan lonSpan"},
	{"stops-for-location.json?lat=21&lon=105.8&latSpan=1&lonSpan=1", "", stopFields},
	{"stops-for-location.json?lat=21&lon=105.8&query=S3&radius=15000", "", stopFields},
	{"stop/HN_S3.json", stopFields, ""},
	{"arrivals-and-departures-for-stop/HN_S15.json?minutesBefore=30&minutesAfter=30", boardFields, ""},
	{"arrivals-and-departures-for-stop/HN_S15.json?minutesAfter=65", boardFields, ""},
	{
		"arrival-and-departure-for-stop/HN_S15.json?tripId=HN_T7-0&serviceDate=1772384400000&stopSequence=15",
		arrivalFields, "",
	},
	{
		"arrivals-and-departures-for-location.json?lat=21&lon=105.8&latSpan=1&lonSpan=1&minutesAfter=35",
		"stopIds nearbyStopIds arrivalsAndDepartures limitExceeded", "",
	},
	{"trip-details/HN_T7-0.json", detailFields, ""},
	{"trip-details/HN_T7-0.json?serviceDate=1772384400000&vehicleId=HN_29B-1", detailFields, ""},
	{"trip-for-vehicle/HN_29B-1.json", detailFields, ""},
	{"trip-for-vehicle/HN_29B-1.json?includeTrip=true", detailFields, ""},
	{"vehicle/HN_29B-1.json", "vehicleId lastUpdateTime lastLocationUpdateTime tripId phase status tripStatus", ""},
	{"trips-for-route/HN_R1.json?includeStatus=true&includeSchedule=false", "", "tripId status"},
	{"routes-for-location.json?lat=21&lon=105.8&query=01&radius=40000", "", routeFields},
	{"stops-for-route/HN_R1.json", "routeId polylines stopIds stopGroupings", ""},
	{"stops-for-route/HN_R1.json?includePolylines=true", "routeId polylines stopIds stopGroupings", ""},
	{"shape/HN_W0.json", "points length", ""},
	{"trip/HN_T7-0.json", tripFields, ""},
	{"route/HN_R1.json", routeFields, ""},
	{"schedule-for-route/HN_R1.json?date=2026-03-02", "routeId scheduleDate serviceIds stopTripGroupings", ""},
	{"schedule-for-stop/HN_S3.json?date=2026-03-02", "stopId date stopRouteSchedules", ""},
	{"current-time.json", "time", ""},
}

// TestAppsFindWhatTheyNeed sends the requests of the iOS and Android apps, with the parameters that each of theirs has,
// and looks for the fields without which they fail.
func TestAppsFindWhatTheyNeed(t *testing.T) {
	city, _ := citytest.NewLine(t)
	city.Drive(t, "29B-1", "T7-0")
	city.Report(t, nil, []nhip.ServiceAlert{{
		ID: "detour", Effect: "DETOUR", Header: []nhip.Translation{{Text: "Đi vòng"}},
		Periods: []nhip.Period{{From: citytest.Eight.Add(-time.Hour)}}, Informed: []nhip.InformedEntity{{Route: "R1"}},
	}})
	c := newClient(t, city)
	for _, x := range appRequests {
		path, query, _ := strings.Cut(x.path, "?")
		query += "&app_ver=123&app_uid=u&version=2&key=other"
		r := httptest.NewRequest(http.MethodGet, "/api/where/"+path+"?"+query, nil)
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, r)
		var body struct {
			Data map[string]any
		}
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusOK {
			t.Errorf("%s: %d %v", x.path, w.Code, err)
			continue
		}
		fieldsOf["entry"], fieldsOf["list"] = x.entry, x.list
		if lacks := missing("", body.Data); len(lacks) > 0 {
			t.Errorf("%s lacks %v", x.path, lacks)
		}
		if all, ok := body.Data["list"].([]any); x.list != "" && (!ok || len(all) == 0) {
			t.Errorf("%s has no element: %s", x.path, w.Body)
		}
		c.validate(t, r, w)
	}
}
