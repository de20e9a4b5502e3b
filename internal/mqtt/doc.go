// Package mqtt connects to an MQTT broker with a client that reconnects by itself, and reports why a connection or a
// subscription failed. Package publish sends messages at QoS 1 in order; package consume receives them and acknowledges
// each when it is stored.
package mqtt
