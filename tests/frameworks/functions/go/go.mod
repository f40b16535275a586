module claimgate/frameworks

go 1.19
