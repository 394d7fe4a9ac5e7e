package sqlite

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNetworkType(t *testing.T) {
	for magic, want := range map[int64]string{
		0x6969: "NFS", 0x517b: "SMB", 0xff534d42: "SMB", 0xfe534d42: "SMB", -0xacb2be: "SMB", 0x01021997: "9p", 0x65735546: "FUSE",
		0x786f4256: "a shared folder of VirtualBox", 0x0bd00bd0: "Lustre", 0x47504653: "GPFS", 0x19830326: "BeeGFS", 0x01161970: "GFS2", 0x7461636f: "OCFS2",
		0xef53: "", 0x58465342: "", 0x01021994: "", 0x9123683e: "",
	} {
		assert.Equal(t, want, networkType(magic), "%#x", magic)
	}
	name, err := networkFS(t.TempDir())
	assert.NoError(t, err)
	assert.Empty(t, name)
	_, err = networkFS("/no/such/folder")
	assert.Error(t, err)
}
