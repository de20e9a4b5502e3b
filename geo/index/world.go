package index

// World is the box that contains every position.
var World = Box{MinLon: -180, MinLat: -90, MaxLon: 180, MaxLat: 90}
