# What somebody types who has a clone in $CLONE, and an empty folder.
make -C $CLONE install
hsharness init
hsharness run # says: 2 scenarios, all passed

# That was the first test, offline. From here on it is bought, once, and replayed.

# The sandbox: a stand-in on this machine, which counts what it serves.
sed -i.old "s|^  sandbox:|  sandbox:\n    identity_url: $IDENTITY_URL\n    api_url: $API_URL|; s|^policy:|policy:\n  loopback: exempt|" hsharness.yaml
export HSHARNESS_SANDBOX_CLIENT_ID=hsharness-client HSHARNESS_SANDBOX_CLIENT_SECRET=hsharness-secret
hsharness quota init --granted 100

hsharness plan # says: fits
hsharness run --mode record --max-spend 5 # says: spent 2 · 98 left
hsharness run --mode record --max-spend 5 # says: spent 0 · replayed 2
hsharness run --mode replay # says: replayed 2
hsharness report --html report.html
hsharness quota status # says: 98
