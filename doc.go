// Package nhip holds the nouns of the platform and the rules that they must satisfy. It does no I/O and imports nothing
// but the standard library and orb.
//
// A device sends a [Message]. A decoder turns it into [Facts]: a [Position] of a vehicle, a [Reading] of a monitoring
// station, or a [UserAction] of staff. An [Acceptor] takes messages and calls back when their outcome is on disk.
//
// The collector assesses readings ([Assessment], [Flag]), aggregates them ([Rollup]) and publishes the current state of
// each [Bus] and [Station]. Staff decide with a [Review]; [Decide] applies reviews to a flag. An [Alert] is one episode
// of an alert rule. A [Track] and an [Arrival] say where a bus is along its pattern and when it passed a stop. An [AQI]
// is an air-quality index with everything needed to interpret it.
//
// Every fact is counted: a [LedgerRow] holds the counts of one device and hour, a [DeadLetter] what was rejected and
// why. An [Error] names the field and the rule that it violates, and carries a [Code].
//
// Units are fixed inside the platform: WGS84 degrees, metres, m/s, degrees clockwise from north, µg/m³ at 25 °C and
// 1 atm, °C, %, Pa, UTC. Decoders convert at the boundary. Time comes from a [Clock].
//
// Constants carry their vocabulary as a prefix (Code…, Flag…, State…, Quality…, Event…, Action…, Grade…, Period…,
// Scale…, Origin…). Quantities are the exception: PM25 and SO2 are unambiguous.
package nhip
