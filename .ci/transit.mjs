// Reads every method of OneBusAway's API with its Node client. The address of a server is the argument.
import assert from "node:assert";
import OnebusawaySDK from "onebusaway-sdk";

const oba = new OnebusawaySDK({ apiKey: "TEST", baseURL: process.argv[2], maxRetries: 0 });
const read = new Set();

async function ask(resource, method, ...parameters) {
  read.add(resource);
  const answer = await oba[resource][method](...parameters);
  assert.equal(answer.code, 200, `${resource}: ${answer.text}`);
  return answer.data;
}
const one = async (resource, ...parameters) => (await ask(resource, "retrieve", ...parameters)).entry;
const some = async (resource, ...parameters) => {
  const { list } = await ask(resource, "list", ...parameters);
  assert(list.length > 0, resource);
  return list;
};

await one("currentTime");
await one("config");
const agency = (await some("agenciesWithCoverage"))[0].agencyId;
await one("agency", agency);
for (const resource of ["routeIdsForAgency", "routesForAgency", "stopIdsForAgency", "stopsForAgency"]) {
  await some(resource, agency);
}
const bus = (await some("vehiclesForAgency", agency))[0];
const details = await one("tripForVehicle", bus.vehicleId);
await one("tripDetails", details.tripId, { serviceDate: details.serviceDate });
const plan = await one("trip", details.tripId);
await one("shape", plan.shapeId);
await one("block", plan.blockId);
const route = await one("route", plan.routeId);
await one("scheduleForRoute", plan.routeId);
await some("tripsForRoute", plan.routeId, { includeStatus: true, includeSchedule: true });
const stops = (await ask("stopsForRoute", "list", plan.routeId)).entry;
assert(stops.stopGroupings[0].stopGroups[0].stopIds.length > 0);
const stop = await one("stop", details.status.nextStop || details.status.closestStop);
await one("scheduleForStop", stop.id);
const here = { lat: stop.lat, lon: stop.lon };
await some("stopsForLocation", { ...here, radius: 300 });
await some("routesForLocation", { ...here, radius: 300 });
await some("tripsForLocation", { ...here, latSpan: 0.2, lonSpan: 0.2, includeSchedule: true });
const board = (await ask("arrivalAndDeparture", "list", stop.id, { minutesAfter: 60 })).entry.arrivalsAndDepartures;
assert(board.some((a) => a.predicted), "no bus is expected");
const { tripId, serviceDate, stopSequence } = board[0];
await one("arrivalAndDeparture", stop.id, { tripId, serviceDate, stopSequence });
if (oba.arrivalsAndDeparturesForLocation) { // newer versions have it
  const around = await ask("arrivalsAndDeparturesForLocation", "list", { ...here, latSpan: 0.01, lonSpan: 0.01 });
  assert(around.entry.arrivalsAndDepartures.length > 0);
}
await some("searchForStop", { input: stop.name });
await some("searchForRoute", { input: route.shortName || route.longName });
await ask("reportProblemWithStop", "retrieve", stop.id, { code: "stop_location_wrong", userComment: "Sai chỗ" });
await ask("reportProblemWithTrip", "retrieve", details.tripId, { code: "wrong_headsign", userOnVehicle: true });
await assert.rejects(oba.stop.retrieve(`${agency}_nowhere`), (err) => err.status === 404);

const missed = Object.keys(oba).filter((name) => oba[name]?._client === oba && !read.has(name));
assert.deepEqual(missed, [], "methods that were not read");
console.log(`onebusaway-sdk: its Node client reads ${read.size} resources`);
