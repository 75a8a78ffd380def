github.com/compose-spec/compose-go/v2/cmd@v2.16.2
