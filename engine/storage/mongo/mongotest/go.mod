module dowel/engine/storage/mongo/mongotest

go 1.26.0
