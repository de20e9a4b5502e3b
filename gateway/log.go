package gateway

// logBurst is how many log lines clients can cause at once; after that, one a second.
const logBurst = 10
