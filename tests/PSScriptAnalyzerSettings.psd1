@{
    ExcludeRules = @(
        # PowerShell 7, which the module needs, reads UTF-8 without a mark.
        'PSUseBOMForUnicodeEncodedFile'

        # Pester hands variables from one block to another, which the rule does not see.
        'PSUseDeclaredVarsMoreThanAssignments'
    )
}
