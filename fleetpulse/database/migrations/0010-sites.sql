-- Which sites there are is asked at each look at a dashboard, in steps from one site to the next. Equal values share their
-- place in the index: 34 MB at 5 million rows.
CREATE INDEX aggregates_site ON aggregates (site);
