"""How everything looks: tokens, layouts, components, fonts, drawings, mails, documents."""
