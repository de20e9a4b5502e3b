"""Reads the SensorThings API at the address of the first argument with FROST's client."""

import itertools
import sys

import frost_sta_client as fsc

service = fsc.SensorThingsService(sys.argv[1] + "/sta/v1.1")

things = service.things().query().count().expand("Locations,Datastreams").top(5).list()
assert things.count >= 5 and len(things.entities) == 5, things.count
thing = things.entities[0]
assert thing.locations.entities[0].location["type"] == "Point"
assert service.things().find(thing.id).name == thing.name

streams = service.datastreams().query().filter("ObservedProperty/id eq 'pm25'").top(1).list()
stream = service.datastreams().find(streams.entities[0].id)
assert stream.unit_of_measurement.symbol == "µg/m³", stream.unit_of_measurement.symbol

query = stream.get_observations().query().top(3).filter("result ge 0").orderby("phenomenonTime", "desc")
read = list(itertools.islice(query.list(), 10))  # over several pages
assert read and all(o.result >= 0 and o.result_quality["flag"] in (1, 2, 3) for o in read)
assert len({o.id for o in read}) == len(read)

for entities in (service.sensors(), service.observed_properties(), service.locations(),
                 service.historical_locations(), service.features_of_interest(), service.observations()):
    assert entities.query().top(2).list().entities, entities
print(f"FROST's client read {things.count} things and {len(read)} observations of {stream.id}")
