not_here 1.1 "a test that dotnet test runs anyway"
