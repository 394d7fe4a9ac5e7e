package mockidp

// NewMultiPrimeKey is what [NewMockKeys] makes its keys with.
var NewMultiPrimeKey = newMultiPrimeKey
