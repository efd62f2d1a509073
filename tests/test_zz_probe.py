async def test_probe(run, make, statements, stranger):
    party = await make.party(name="ACME")
    await make.commitment(); await make.annotation(); await make.knowledge_edge(); await make.signal()
    d = await make.document(); t = await make.tag(); await make.tagged(d, t); await make.link(d, party)
    statements.clear()
    print(await run("{parties(first:3){nodes{name roles{nodes{roleName}}} totalCount}}"))
    print(len(statements), statements)
    print(await run("{viewer{ __typename }}"))
    print(await run.by(stranger)("{parties{nodes{name}}}"))
async def test_probe2(run):
    print(await run("query($id:ID!){node(id:$id){id}}", id="x"))
