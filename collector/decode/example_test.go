package decode_test

import (
	"fmt"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/position"
)

// A Decoder turns a message into facts. It rejects the faulty element of a batch and keeps the others; a message that
// it can't read as a whole is an error.
func ExampleDecoder() {
	received := time.Date(2026, 2, 16, 15, 58, 3, 0, time.UTC)
	decodeAndPrint := func(payload string) {
		var facts nhip.Facts
		err := position.Decoder.Decode(decode.Input{
			Topic:    "nhip/in/position/29B-12345",
			Payload:  []byte(payload),
			Received: received,
			Feed:     &decode.Feed{Agency: "hanoi"},
			Reject:   func(fault error) { fmt.Println("rejected:", fault) },
		}, &facts)
		if err == nil {
			err = facts.Validate(received) // ranges
		}
		if err != nil {
			fmt.Println("error:", err)
			return
		}
		for _, p := range facts.Positions {
			fmt.Println(p.Agency, p.Vehicle, p.Time.Format(time.RFC3339), p.Speed.Or(0), "m/s")
		}
	}

	decodeAndPrint(`[
		{"time":"2026-02-16T22:57:58+07:00","lat":21.0287,"lon":105.8523,"speed":8.75},
		{"time":"yesterday","lat":21.0288,"lon":105.8524},
		{"time":"2026-02-16T22:58:02+07:00","lat":21.0289,"lon":105.8525,"speed":9}
	]`)
	decodeAndPrint(`{"time":"2026-02-16T22:58:02+07:00","lat":91,"lon":105.8523}`)
	decodeAndPrint(`GET / HTTP/1.1`)
	// Output:
	// rejected: [1].time: must be RFC 3339 with its offset, as in "2026-02-16T15:58:02Z", got "yesterday"
	// hanoi 29B-12345 2026-02-16T15:57:58Z 8.75 m/s
	// hanoi 29B-12345 2026-02-16T15:58:02Z 9 m/s
	// error: lat: must be between -90 and 90, got 91
	// error: expected an object at byte 0, got 'G'
}

// A ValueSet keeps one value for each quantity, that of the best instrument, whatever the order of the payload is.
func ExampleValueSet() {
	set := decode.ValueSet{Station: "hn-01", Time: time.Date(2026, 2, 16, 15, 0, 0, 0, time.UTC), Period: time.Hour}
	set.Add(nhip.PM25, 38.1)
	set.Offer(nhip.Temperature, 29.5, decode.Instrument{Rank: 2, Name: []byte("PMS5003T")})
	set.Offer(nhip.Temperature, 27.8, decode.Instrument{Rank: 1, Name: []byte("SHT31")})

	var facts nhip.Facts
	set.AppendTo(&facts)
	for _, r := range facts.Readings {
		fmt.Println(r.Station, r.Quantity, r.Value, r.Quantity.Unit())
	}
	// Output:
	// hn-01 pm25 38.1 µg/m³
	// hn-01 temperature 27.8 °C
}

// Convert converts a value to the platform's unit of its quantity: gases to µg/m³ at 25 °C and 1 atm.
func ExampleConvert() {
	ozone, err := decode.Convert(nhip.O3, 50, "ppb")
	fmt.Printf("%.1f %v\n", ozone, err)
	_, err = decode.Convert(nhip.PM25, 50, "ppb")
	fmt.Println(err)
	// Output:
	// 98.1 <nil>
	// unit: "ppb" does not apply to pm25: particles have no molar mass
}
