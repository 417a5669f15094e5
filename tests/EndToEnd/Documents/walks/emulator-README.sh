not_here 1.1 "a test that dotnet test runs anyway"
not_here 1.2 "takes a night"
not_here 1.3 "shows one seed of the same"
