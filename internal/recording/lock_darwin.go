package recording

// setLockCommand is F_OFD_SETLK of <sys/fcntl.h>: it locks for the open file, not
// for the process.
const setLockCommand = 90
