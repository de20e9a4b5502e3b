// Package influxd runs the embedded InfluxDB as a child process: the program built from deploy/influxd, on a loopback
// port, with an account of its own. It restarts a process that dies and ends it with the parent. Package influx is the
// client.
package influxd
