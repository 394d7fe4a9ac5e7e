package mockidp

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Keys that are rotated in a loop are not kept for ever.
func TestKeysAreBounded(t *testing.T) {
	t.Parallel()
	made, err := NewMockKeys().current()
	require.NoError(t, err)
	k := &Keys{}
	var ids []string
	for range maxKeys + 50 {
		id := randomHex()
		k.add(&key{id: id, public: made.public})
		ids = append(ids, id)
	}
	list, err := k.all()
	require.NoError(t, err)
	assert.Len(t, list, maxKeys)
	assert.Equal(t, ids[len(ids)-1], list[0].id)
	assert.NotNil(t, k.PublicKey(ids[50]))
	assert.Nil(t, k.PublicKey(ids[49]), "the oldest are gone")
}
