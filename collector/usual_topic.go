package collector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"nhip/internal/topics"
)

// UsualTopic returns the topic on which a device sends a payload of a format, if its feed has the default topic.
// Without a device it is that of a device "test", or of the one that the payload names.
func UsualTopic(format, device string, payload []byte) string {
	switch {
	case format == "hfp":
		return usualHFPTopic(device, payload)
	case (format == "tts" || format == "chirpstack") && device == "":
		return topics.In + format // the payload contains the device id
	case device == "":
		device = "test"
	}
	return topics.DeviceTopic(format, device)
}

// usualHFPTopic returns the topic of an HFP payload. Only the topic has the vehicle and the event, which is also the
// payload's only key.
func usualHFPTopic(vehicle string, payload []byte) string {
	if vehicle == "" {
		vehicle = "0000/00000"
	}
	event := "vp"
	d := json.NewDecoder(bytes.NewReader(payload))
	if _, err := d.Token(); err == nil {
		if key, err := d.Token(); err == nil {
			event = strings.ToLower(fmt.Sprint(key))
		}
	}
	return "/hfp/v2/journey/ongoing/" + event + "/bus/" + vehicle
}
