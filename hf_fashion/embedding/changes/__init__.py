"""Words that change a photo: read, edited into descriptions, embedded."""
