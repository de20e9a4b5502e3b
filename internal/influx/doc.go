// Package influx stores the platform's history in InfluxDB and reads it back. It is the only package that depends on
// InfluxDB's languages: the schema, the line protocol, the two query languages, and the differences between the
// embedded version 1.8 and the version 2.x of production.
//
// A DB writes encoded rows, one request each, and reports the result. Batching, retrying and isolating a bad row among
// good ones are the collector's task. Package influxd runs the embedded InfluxDB.
package influx
