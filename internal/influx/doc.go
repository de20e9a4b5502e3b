// Package influx keeps the platform's history in InfluxDB, and is the only place that knows
// InfluxDB's dialects: its schema, its line protocol, its two query languages, and what differs
// between the 1.8 that comes with us and the 2.x of production.
//
// A DB writes encoded rows in one request each and says what became of them; batching, retrying and
// finding the bad row among good ones are the collector's. A Child is the InfluxDB that nhip runs
// for itself on one machine.
package influx
