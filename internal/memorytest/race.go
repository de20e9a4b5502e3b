//go:build race

package memorytest

const race = true
