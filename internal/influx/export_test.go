package influx

// What the tests outside the package look at.
var (
	TagText      = tagText
	TagValue     = tagValue
	AppendNumber = appendNumber
)
