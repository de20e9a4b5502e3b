// Package broker is an MQTT broker for one process: MQTT 3.1, 3.1.1 and 5, QoS 0, 1 and (from clients only) 2, retained
// messages, persistent sessions in memory. It has no wills and no shared subscriptions.
//
// The broker decides nothing: Rules say who may connect, what a client may do and where its messages go. A message that
// the rules take over is acknowledged when they say so, in the order in which it came; meanwhile the broker reads on,
// up to the client's window, so that one sync of a disk can cover many messages of one connection.
//
// What a client sends costs that client only. Every length is checked before memory is allocated for it, every wait has
// a deadline, every queue has a bound, and a panic in a connection's goroutine ends that connection.
//
// An idle connection has one goroutine and no buffer. Buffers come from a pool when bytes arrive, and a second
// goroutine exists only while something is being written.
package broker
