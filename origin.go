package nhip

// Origin is the source of a fact. The zero value is a real device.
type Origin string

// OriginSimulated marks the facts of the built-in simulator wherever they are stored or served.
const OriginSimulated Origin = "simulated"
