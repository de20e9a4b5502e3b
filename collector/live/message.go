package live

import "encoding/json"

// queueLength bounds the events of each kind that wait for the broker. Further ones are dropped: they are on disk, and
// a flood of rejected messages must not fill the memory.
const queueLength = 1024

// encode returns the JSON of a state or an event.
func encode(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("a live message can't be encoded: " + err.Error()) // only NaN values could, and validation rejects them
	}
	return raw
}
