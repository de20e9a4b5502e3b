// Package aqi computes air-quality indices from hourly concentrations: Vietnam's VN_AQI, the US EPA's AQI, and
// the ratio to the WHO guidelines.
//
// Hourly means are labelled by their END, which is always a full hour. They are listed newest first, and a
// missing hour is NaN: index 0 ends at the requested hour, index 1 ends one hour earlier. The 24 hours of a day
// end at 01:00 … 24:00 local time, so index 0 of a day ends at midnight. In a zone that is off by part of an hour, an
// hour belongs to the day in which it begins.
//
// Sources: Decision 1459/QĐ-TCMT (Vietnam Environment Administration, 12 November 2019); US EPA, Technical
// Assistance Document for the Reporting of Daily Air Quality, breakpoints of May 2024; WHO global air quality
// guidelines (2021), table 0.1.
package aqi

import "nhip"

// Hours holds the hourly means of one place by quantity, in Quantity.Unit.
type Hours map[nhip.Quantity][]float64

// Values of nhip.AQI.Rule.
const (
	RuleHourly = "hourly"
	RuleDaily  = "daily"
)

// Values of nhip.SubIndex.Average: the average that a sub-index is computed from.
const (
	averageNowCast = "nowcast"
	average1h      = "1h"
	average8h      = "8h"
	average24h     = "24h"
	averageMax1h   = "max_1h"
	averageMax8h   = "max_8h"
)

// Lengths of averages, in hours. EarlierHours is the number of hours before a day that its first 8-hour mean needs.
const (
	nowCastHours = 12
	eightHours   = 8
	dayHours     = 24
	EarlierHours = eightHours - 1
)

// DefaultCompleteness is the share of an average's hours that must be present. Decision 1459 does not define it;
// three quarters is the usual practice of environment agencies.
const DefaultCompleteness = 0.75
