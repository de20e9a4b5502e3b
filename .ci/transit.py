"""Reads every method of OneBusAway's API with its Python client, whose models are checked strictly, and the three feeds
with Google's bindings of GTFS-realtime. The address of a server with a timetable and buses is the argument."""

import sys
import urllib.request

import onebusaway
from google.transit import gtfs_realtime_pb2

base = sys.argv[1]
oba = onebusaway.OnebusawaySDK(api_key="TEST", base_url=base, max_retries=0, _strict_response_validation=True)
read = set()


def ask(resource, method="retrieve", **parameters):
    read.add(resource)
    answer = getattr(getattr(oba, resource), method)(**parameters)
    assert answer.code == 200, (resource, answer.code, answer.text)
    return getattr(answer, "data", None)


def one(data):
    return data.entry


def some(data):
    assert data.list, data
    return data.list


ask("current_time")
ask("config")
agency = some(ask("agencies_with_coverage", "list"))[0].agency_id
ask("agency", agency_id=agency)
for resource in ("route_ids_for_agency", "routes_for_agency", "stop_ids_for_agency", "stops_for_agency"):
    some(ask(resource, "list", agency_id=agency))
bus = some(ask("vehicles_for_agency", "list", agency_id=agency))[0]
details = one(ask("trip_for_vehicle", vehicle_id=bus.vehicle_id))
trip, status = details.trip_id, details.status
ask("trip_details", trip_id=trip, service_date=details.service_date)
plan = one(ask("trip", trip_id=trip))
one(ask("shape", shape_id=plan.shape_id))
one(ask("block", block_id=plan.block_id))
route = one(ask("route", route_id=plan.route_id))
one(ask("schedule_for_route", route_id=plan.route_id))
some(ask("trips_for_route", "list", route_id=plan.route_id, include_schedule=True, include_status=True))
stops = one(ask("stops_for_route", "list", route_id=plan.route_id))
assert stops.stop_ids and stops.stop_groupings and stops.polylines, stops
stop = one(ask("stop", stop_id=status.next_stop or status.closest_stop))
one(ask("schedule_for_stop", stop_id=stop.id))
here = {"lat": stop.lat, "lon": stop.lon}
box = {**here, "lat_span": 0.01, "lon_span": 0.01}
some(ask("stops_for_location", "list", **here, radius=300))
some(ask("routes_for_location", "list", **here, radius=300))
some(ask("trips_for_location", "list", **here, lat_span=0.2, lon_span=0.2, include_schedule=True))
board = one(ask("arrival_and_departure", "list", stop_id=stop.id, minutes_after=60)).arrivals_and_departures
assert any(a.predicted for a in board), "no bus is expected at the stop before which one is"
one(ask("arrival_and_departure", stop_id=stop.id, trip_id=board[0].trip_id, service_date=board[0].service_date,
        stop_sequence=board[0].stop_sequence))
assert one(ask("arrivals_and_departures_for_location", "list", **box)).arrivals_and_departures
some(ask("search_for_stop", "list", input=stop.name))
some(ask("search_for_route", "list", input=route.short_name or route.long_name))
ask("report_problem_with_stop", stop_id=stop.id, code="stop_name_wrong", user_comment="Sai tên", user_lat=stop.lat,
    user_lon=stop.lon)
ask("report_problem_with_trip", trip_id=trip, code="vehicle_came_late", vehicle_id=bus.vehicle_id, stop_id=stop.id,
    user_on_vehicle=True)
try:
    oba.stop.retrieve(f"{agency}_nowhere")
    raise AssertionError("a stop that does not exist")
except onebusaway.NotFoundError:
    pass

missed = {
    name for name in dir(oba)
    if not name.startswith("_") and "onebusaway.resources" in type(getattr(oba, name, None)).__module__
} - read
assert not missed, f"methods that were not read: {sorted(missed)}"
print(f"onebusaway: its Python client reads {len(read)} resources")

counts = {}
for feed in ("trip-updates", "vehicle-positions", "alerts"):
    for path in (f"gtfs-rt/{feed}.pb", f"api/gtfs_realtime/{feed}-for-agency/{agency}.pb?key=TEST"):
        message = gtfs_realtime_pb2.FeedMessage()
        message.ParseFromString(urllib.request.urlopen(f"{base}/{path}").read())
        assert message.IsInitialized() and message.header.gtfs_realtime_version == "2.0", path
        counts[feed] = len(message.entity)
assert counts["trip-updates"] and counts["vehicle-positions"], counts
print("gtfs-realtime-bindings: they read", counts)
