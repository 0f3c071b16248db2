module masthead/end2end/cluster/service

go 1.26.0
